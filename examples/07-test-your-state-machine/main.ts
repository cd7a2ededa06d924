// Is this state machine fit to be replicated? Real nodes, logs and clients on simulated machines that crash, hang, lose what was not
// synced and cannot reach each other; and a model that says what any client may see.
import { raftScenario } from '@lab/raft/testing/sim'
import { simulate } from '@lab/sim'
import { forgetfulOffice, rightOffice, type Office, type Sale } from './office.ts'

const SEEDS = 12

const scenario = (stateMachine: () => Office) =>
  raftScenario<Office, Sale>({
    name: 'tickets',
    stateMachine,
    draw: (random, { client, count }) => ({
      seat: `seat ${random.integer(1, 60)}`,
      to: `${client}.${count}`,
    }),
    model: {
      name: 'tickets',
      key: ({ seat }) => seat,
      init: () => 'nobody',
      // A free seat is sold to whoever asks, and then to nobody else. `answer` is undefined when none came back.
      step: (holder: string, { to }, answer) =>
        answer !== undefined && answer !== (holder === 'nobody')
          ? null
          : { state: holder === 'nobody' ? to : holder },
      describe: ({ seat, to }, answer) => `${seat} to ${to}: ${answer === true ? 'sold' : 'no'}`,
    },
  })

const right = await simulate(scenario(rightOffice), { seeds: SEEDS })
console.log(`the right office: ${SEEDS} seeds, ${right.failures.length} failed`)

const forgetful = await simulate(scenario(forgetfulOffice), {
  seeds: 200,
  onReport: ({ failure }) => failure === null,
})
const [found] = forgetful.failures
console.log(`the forgetful office: ${found === undefined ? 'nothing was found' : 'found out'}`)
// Which seed it was, and what it saw, changes with every change of the packages below.
console.error(`seed ${found?.plan.seed ?? 0}, ${found?.failure?.message ?? ''}`)
