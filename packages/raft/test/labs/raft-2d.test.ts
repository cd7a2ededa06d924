import { describeLabCore, makeLabCore, raftLab } from '@lab/raft/testing'
import { testLabs } from './lab-tests.ts'

testLabs(raftLab({ make: makeLabCore, describe: describeLabCore }).filter(({ part }) => part === '2D'))
