import { tokenCounts } from '@lab/mapreduce'

// A job is its module's default export.
export default tokenCounts()
