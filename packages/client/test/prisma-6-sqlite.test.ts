import { holdsOn } from './prisma-6-contract.ts'

holdsOn('sqlite')
