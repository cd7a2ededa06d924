/** The other process: answers one variant at a port that it tells its parent, and lives as long as that. */
import { variants, type VariantName } from './variants.ts'

const name = process.argv[2] as VariantName
process.send?.(await variants[name].serve())
process.on('disconnect', () => process.exit())
