import { describeLabCore, labCore, raftLab } from '@lab/raft/testing'
import { testLabs } from '../../../../test/shared/lab-tests.ts'

testLabs(raftLab({ make: labCore(), describe: describeLabCore }).filter(({ part }) => part === '2D'))
