export { kvScenario, performKv } from './scenario.ts'
export { kvEveryScenario } from './every-scenario.ts'
