import type { LabTest } from '@lab/raft/testing'
import { labController, labControllerClerk } from '@lab/shardctrler/testing'
import { testLabs } from '../../../../test/shared/lab-tests.ts'
import { describeLabShards, labShardClerk, labShards, shardLab } from '../../src/testing/index.ts'

const tests = shardLab({
  makeController: labController(),
  makeControllerClerk: labControllerClerk,
  makeServer: labShards(),
  makeClerk: labShardClerk,
  describe: describeLabShards,
})
/** Thousands of operations a run. */
const isBusy = ({ title }: LabTest): boolean => title.startsWith('Concurrent')
testLabs(
  tests.filter((test) => !isBusy(test)),
  { quick: 1, usual: 3, long: 20 },
)
testLabs(tests.filter(isBusy), { quick: 1, usual: 2, long: 20 })
