export { kvScenario } from './scenario.ts'
