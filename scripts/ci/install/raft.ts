import { labCore } from '@lab/raft/testing'

export const make = labCore()
