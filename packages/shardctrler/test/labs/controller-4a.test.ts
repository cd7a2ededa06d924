import {
  controllerLab,
  describeLabController,
  labController,
  labControllerClerk,
} from '@lab/shardctrler/testing'
import { testLabs } from '../../../../test/shared/lab-tests.ts'

testLabs(
  controllerLab({
    makeServer: labController(),
    makeClerk: labControllerClerk,
    describe: describeLabController,
  }),
  { quick: 3, usual: 20, long: 100 },
)
