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
testLabs(tests, { quick: 1, usual: 1, long: 20 })
