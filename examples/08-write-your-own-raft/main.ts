/** Holds the Raft of my-raft.ts to part 2A of the labs, and says what is missing. `lab grade` does the same with more seeds and a trace. */
import { LabFailure, labLine, raftLab } from '@lab/raft/testing'
import { make } from './my-raft.ts'

const SEED = 1
let passed = 0
const tests = raftLab({ make }).filter(({ part }) => part === '2A')
for (const test of tests) {
  try {
    console.log(labLine([await test.run(SEED)]))
    passed++
  } catch (thrown) {
    if (!(thrown instanceof LabFailure)) throw thrown
    console.log(`FAILED ${thrown.message}`)
  }
}
console.log(
  `${passed} of ${tests.length} tests of 2A passed. Next: make one more pass, then lab grade my-raft.ts --part 2A`,
)
