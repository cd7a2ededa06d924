import { labController, labControllerClerk } from '@lab/shardctrler/testing'
import { testLabs } from '../../../../test/shared/lab-tests.ts'
import { describeLabShards, labShardClerk, labShards, shardLab } from '@lab/shardkv/testing'

const tests = shardLab({
  makeController: labController(),
  makeControllerClerk: labControllerClerk,
  makeServer: labShards(),
  makeClerk: labShardClerk,
  describe: describeLabShards,
})
// A seed of all takes some five seconds of processor time.
testLabs(tests, { quick: 1, usual: 2, long: 20 })
