import { ControllerError } from './errors.ts'

export function compacted(num: number, firstNum: number): ControllerError {
  return new ControllerError(
    'COMPACTED',
    `configuration ${num} is forgotten, as every group has finished with it; the oldest known is ${firstNum}`,
    { firstNum },
  )
}
