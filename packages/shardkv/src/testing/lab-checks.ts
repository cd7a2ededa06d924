/** What the labs' tests of part 4B do with keys, and check of values and of servers' disks. */
import type { ShardLabCluster } from './lab-cluster.ts'
import type { LabShardClerk } from './lab-interface.ts'
import { mustBe } from './lab-rules.ts'

/** The Raft's state may be so many times as large as what asks for a snapshot. */
const STATE_FACTOR = 8
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

export function randomText(lab: ShardLabCluster, length: number): string {
  return Array.from({ length }, () => LETTERS[lab.random.integer(0, LETTERS.length - 1)]).join('')
}

/** Keys "0", "1", …, what each must hold, and a client that checks it. The first ten keys are in ten different shards. */
export class Keys {
  readonly values: string[] = []
  readonly clerk: LabShardClerk
  readonly #lab: ShardLabCluster

  private constructor(lab: ShardLabCluster) {
    this.#lab = lab
    this.clerk = lab.client()
  }

  static async put(lab: ShardLabCluster, count: number, length: number): Promise<Keys> {
    const keys = new Keys(lab)
    for (let key = 0; key < count; key++) {
      const value = randomText(lab, length)
      await keys.clerk.put(String(key), value)
      keys.values.push(value)
    }
    return keys
  }

  async check(count = this.values.length): Promise<void> {
    for (let key = 0; key < count; key++) await this.checkOne(key)
  }

  async checkOne(key: number): Promise<void> {
    checkValue(key, await this.clerk.get(String(key)), this.values[key] ?? '')
  }

  /** Checks each, then adds to it. */
  async checkAndAppend(length: number): Promise<void> {
    for (const [key, value] of this.values.entries()) {
      await this.checkOne(key)
      const addition = randomText(this.#lab, length)
      await this.clerk.append(String(key), addition)
      this.values[key] = value + addition
    }
  }
}

export function checkValue(key: number | string, value: string, expected: string): void {
  mustBe(value === expected, 'valueIsKept', `key ${String(key)} holds "${value}", not "${expected}"`)
}

/** No server keeps more log, or more snapshots, than it may. */
export function checkLogs(lab: ShardLabCluster): void {
  const most = STATE_FACTOR * lab.maxRaftState
  for (const { name, state, snapshot } of lab.saved())
    if (lab.maxRaftState < 0)
      mustBe(snapshot === 0, 'noSnapshot', `${name} has a snapshot of ${String(snapshot)} bytes`)
    else
      mustBe(
        state <= most,
        'logIsTrimmed',
        `${name} keeps ${String(state)} bytes; ${String(most)} are allowed`,
      )
}
