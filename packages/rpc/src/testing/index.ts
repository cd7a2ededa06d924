export { ManualClock } from './manual-clock.ts'
export {
  LabNetwork,
  LabServer,
  type LabDescribe,
  type LabEnd,
  type LabEndOptions,
  type LabHandler,
  type LabNetworkOptions,
} from './lab-network.ts'
export type { LabJson, LabValue } from './lab-value.ts'
export { transportSuite, type SuiteCase, type TransportSuiteOptions } from './transport-suite.ts'
export type { Ability, TransportUnderTest } from './transport/kit.ts'
