import { describeLabStore, kvLab, labClerk, labStore } from '@lab/kvraft/testing'
import { testLabs } from '../../../../test/shared/lab-tests.ts'

const tests = kvLab({ makeServer: labStore(), makeClerk: labClerk, describe: describeLabStore }).filter(
  ({ part }) => part === '3B',
)
testLabs(tests, { quick: 1, usual: 2, long: 40 })
