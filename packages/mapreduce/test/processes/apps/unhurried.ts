/** wc, but every task waits a while first: a worker that starts late still finds some to do. */
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob } from '@lab/mapreduce'
import wc from '../../labs/apps/wc.ts'

export default defineJob<string, string, string>({
  ...wc,
  setup: ({ parameters }) => wait(Number(parameters['waitMs'])),
})
