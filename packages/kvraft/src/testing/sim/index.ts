export { kvScenario } from './scenario.ts'
export { kvEveryScenario } from './every-scenario.ts'
