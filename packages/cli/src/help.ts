/** Help that leads with examples: most people look for a line to copy. */
import { Help, type Command, type Option } from 'commander'

const examples = new WeakMap<Command, string>()

/** What the help of `command` begins with. */
export function withExamples(command: Command, text: string): Command {
  examples.set(command, text)
  return command
}

/** Options that say how a cluster is reached stand below those of the command itself. */
export const CONNECTION_GROUP = 'Which cluster, and how it is reached:'

/** For commander's `configureHelp`: that group is last, although its options were added first. */
export function groupItems<T extends Command | Option>(
  all: T[],
  visible: T[],
  groupOf: (item: T) => string,
): Map<string, T[]> {
  const groups = new Help().groupItems(all, visible, groupOf)
  const last = groups.get(CONNECTION_GROUP)
  if (last !== undefined && groups.delete(CONNECTION_GROUP)) groups.set(CONNECTION_GROUP, last)
  return groups
}

/** For commander's `configureHelp`. */
export function formatHelp(command: Command, helper: Help): string {
  const text = examples.get(command)
  const rest = Help.prototype.formatHelp.call(helper, command, helper)
  return text === undefined ? rest : `Examples:${text}\n\n${rest}`
}
