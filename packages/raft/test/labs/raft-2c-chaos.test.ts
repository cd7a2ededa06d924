// A file of its own, so that a second worker can take it.
import { describeLabCore, labCore, raftLab } from '@lab/raft/testing'
import { testLabs } from '../../../../test/shared/lab-tests.ts'

const chaos = /Figure8|Churn|Unreliable/
const tests = raftLab({ make: labCore(), describe: describeLabCore })
testLabs(tests.filter(({ part, title }) => part === '2C' && chaos.test(title)))
