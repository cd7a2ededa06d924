import { grep } from '@lab/mapreduce'

export default grep('zqx')
