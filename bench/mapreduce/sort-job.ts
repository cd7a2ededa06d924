import { sortRecords } from '@lab/mapreduce'

export default sortRecords({ width: 100 })
