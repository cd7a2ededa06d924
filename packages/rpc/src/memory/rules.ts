import { reliableLink, type LabPreset, type LinkConditions } from './conditions.ts'
import type { Link } from './link.ts'

/** Which messages conditions are for; what is left out means all. */
export interface LinkSelector {
  readonly from?: string
  readonly to?: string
}

interface Rule {
  readonly selector: LinkSelector
  /** Of messages away from the end that dialled, and of those back to it. */
  readonly requests: Partial<LinkConditions>
  readonly replies: Partial<LinkConditions>
}

/** What links do to messages, as it was set: later rules win. */
export class Rules {
  readonly #defaults: LabPreset
  #rules: Rule[] = []
  /** What comes of the rules: every message asks, and they change seldom. */
  readonly #known = new Map<Link, LabPreset>()

  constructor(defaults: LinkConditions) {
    this.#defaults = { requests: defaults, replies: defaults }
  }

  set(conditions: Partial<LinkConditions> | LabPreset, selector: LinkSelector): void {
    const rule: Rule =
      'requests' in conditions
        ? { selector, ...conditions }
        : { selector, requests: conditions, replies: conditions }
    if (selector.from === undefined && selector.to === undefined && isComplete(rule)) this.#rules = []
    this.#rules.push(rule)
    this.#known.clear()
  }

  /** @param isRequest away from the end that dialled */
  of(link: Link, isRequest: boolean): LinkConditions {
    const { requests, replies } = this.#rules.length === 0 ? this.#defaults : this.#of(link)
    return isRequest ? requests : replies
  }

  #of(link: Link): LabPreset {
    let known = this.#known.get(link)
    if (known === undefined) {
      known = this.#workOut(link)
      this.#known.set(link, known)
    }
    return known
  }

  #workOut(link: Link): LabPreset {
    let { requests, replies } = this.#defaults
    for (const rule of this.#rules) {
      const { from = link.from, to = link.to } = rule.selector
      if (from !== link.from || to !== link.to) continue
      requests = { ...requests, ...rule.requests }
      replies = { ...replies, ...rule.replies }
    }
    return { requests, replies }
  }
}

function isComplete({ requests, replies }: Rule): boolean {
  return Object.keys(reliableLink).every((key) => key in requests && key in replies)
}
