/** Moments at which two majorities could decide, if configurations and names were not what they are (§6). */
import type { NodeId } from '../../../types.ts'
import type { Stage } from './stage.ts'

const PATIENCE_MS = 1500

/** Two of three are replaced, and cut off before they hear of it: they are a majority of what was, the others of what is to be. */
export async function splitChange(stage: Stage): Promise<void> {
  const leader = stage.leader()
  if (leader === null) return
  const leaving = stage.votersBut(leader)
  const { voters = [], membershipIndex = 0 } = stage.status(leader) ?? {}
  const coming = [...stage.nodes, ...stage.spares].filter((id) => !voters.includes(id)).slice(0, 2)
  for (const id of leaving) stage.delay(id, 30, 1500)
  void stage
    .node(leader)
    ?.changeMembership(
      { remove: leaving, add: Object.fromEntries(coming.map((id) => [id, `memory://${id}`])) },
      { timeout: PATIENCE_MS, ifIndex: membershipIndex },
    )
    .catch(() => undefined)
  const entered = (): boolean => coming.some((id) => stage.status(leader)?.voters.includes(id) === true)
  if (await stage.until(entered, PATIENCE_MS)) stage.part(1200, [leader, ...coming], leaving)
  await stage.sleep(1500)
}

/**
 * A voter comes back with an empty disk under its name. Nobody may listen to it, whoever leads, though its vote is not the only fence: also a
 * server that no configuration means gives none. An operator then does what people are told to: remove, add.
 */
export async function wipedVoter(stage: Stage): Promise<void> {
  const leader = stage.leader()
  if (leader === null) return
  const [wiped, third] = stage.votersBut(leader)
  if (wiped === undefined || third === undefined) return
  const heal = stage.part(1500, [leader, wiped], [wiped, third])
  await stage.sleep(stage.between(100, 250))
  stage.wipe(wiped)
  heal()
  const { term } = stage.status(leader) ?? {}
  // A leader of a later term knows nothing any more of what the server had stored.
  stage.part(700, [leader], [wiped], [third])
  await stage.sleep(1800)
  for (const { id, term: later, matchIndexes } of stage.statuses())
    stage.mustHold(
      later === term || (matchIndexes[wiped] ?? 0) === 0,
      `${wiped} was wiped, and ${id} believes what it says under its old name`,
    )
  await replace(stage, wiped)
}

async function replace(stage: Stage, id: NodeId): Promise<void> {
  for (const change of [{ remove: [id] }, { add: { [id]: `memory://${id}` } }])
    for (let done = false; !done;) {
      const leader = stage.leader()
      const asked = leader === null ? undefined : stage.node(leader)
      done = await (
        asked?.changeMembership(change, { timeout: PATIENCE_MS }) ?? Promise.reject(new Error('nobody leads'))
      ).then(
        () => true,
        () => false,
      )
      if (!done) await stage.sleep(200)
    }
}
