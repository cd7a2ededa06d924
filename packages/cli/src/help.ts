/** Help that leads with examples: most people look for a line to copy. */
import { Help, type Command } from 'commander'

const examples = new WeakMap<Command, string>()

/** What the help of `command` begins with. */
export function withExamples(command: Command, text: string): Command {
  examples.set(command, text)
  return command
}

/** For commander's `configureHelp`. */
export function formatHelp(command: Command, helper: Help): string {
  const text = examples.get(command)
  const rest = Help.prototype.formatHelp.call(helper, command, helper)
  return text === undefined ? rest : `Examples:${text}\n\n${rest}`
}
