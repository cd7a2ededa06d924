export { controllerLab } from './lab.ts'
export type {
  ControllerLabOptions,
  LabConfig,
  LabControllerClerk,
  LabControllerServer,
  LabMakeController,
  LabMakeControllerClerk,
} from './lab-interface.ts'
export { describeLabController, labController, labControllerClerk } from './lab-controller.ts'
