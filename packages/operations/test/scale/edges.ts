import { head, type ScaleCase } from './scale-case.ts'

/** What relations, names and layouts may look like. */
export const edges: ScaleCase[] = [
  {
    name: 'people who have chosen an organization, and one that has chosen a project',
    tenant: 'Org',
    tenants: ['Project', 'Doc', 'Seat'],
    broken: [1, 2, 3, 4, 5],
    schema: `${head}
model User {
  id           String  @id
  currentOrg   Org?    @relation("Current", fields: [currentOrgId], references: [id])
  currentOrgId String?
  lastDoc      Doc?    @relation("Last", fields: [lastDocId], references: [id])
  lastDocId    String?
  seats        Seat[]
  docs         Doc[]   @relation("Author")
}
model Org {
  id               String    @id
  current          User[]    @relation("Current")
  projects         Project[] @relation("Own")
  seats            Seat[]
  defaultProject   Project?  @relation("Default", fields: [defaultProjectId], references: [id])
  defaultProjectId String?   @unique
}
model Project {
  id      String @id
  orgId   String
  org     Org    @relation("Own", fields: [orgId], references: [id])
  default Org?   @relation("Default")
  docs    Doc[]
}
model Doc {
  id        String  @id
  projectId String
  authorId  String
  parentId  String?
  project   Project @relation(fields: [projectId], references: [id])
  author    User    @relation("Author", fields: [authorId], references: [id])
  parent    Doc?    @relation("Tree", fields: [parentId], references: [id])
  children  Doc[]   @relation("Tree")
  last      User[]  @relation("Last")
}
model Seat {
  orgId  String
  userId String
  org    Org  @relation(fields: [orgId], references: [id])
  user   User @relation(fields: [userId], references: [id])
  @@id([userId, orgId])
}
`,
  },
  {
    name: 'implicit many-to-many relations between and within models, some with names',
    tenant: 'Shop',
    tenants: ['Product', 'Category'],
    broken: [1, 2, 3, 4],
    named: 'Shop',
    schema: `${head}
model Shop {
  id         Int        @id
  products   Product[]
  categories Category[]
}
model Product {
  id         Int        @id
  shopId     Int
  shop       Shop       @relation(fields: [shopId], references: [id])
  categories Category[]
  featuredIn Category[] @relation("Featured")
  similar    Product[]  @relation("Similar")
  similarTo  Product[]  @relation("Similar")
  badges     Badge[]
}
model Category {
  id       Int        @id
  parentId Int?
  shopId   Int
  shop     Shop       @relation(fields: [shopId], references: [id])
  parent   Category?  @relation("Tree", fields: [parentId], references: [id], onDelete: SetNull)
  children Category[] @relation("Tree")
  products Product[]
  featured Product[]  @relation("Featured")
}
model Badge {
  id       Int       @id
  products Product[]
  kinds    Kind[]
}
model Kind {
  id     Int     @id
  badges Badge[]
}
`,
  },
  {
    name: 'a column that is called like the tenant’s and is not',
    tenant: 'Account',
    named: 'Account.id',
    tenants: ['Member', 'Mailbox', 'Message'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model Account {
  id      String   @id
  members Member[]
}
model Member {
  id        String    @id
  accountId String
  account   Account   @relation(fields: [accountId], references: [id])
  mailboxes Mailbox[]
}
/// accountId is the provider’s.
model Mailbox {
  id        String    @id
  accountId String    @unique
  memberId  String
  member    Member    @relation(fields: [memberId], references: [id])
  messages  Message[]
}
model Message {
  id        String  @id
  mailboxId String
  mailbox   Mailbox @relation(fields: [mailboxId], references: [id])
}
`,
  },
  {
    name: 'tenants that are named by another key than the id, and columns of several names',
    tenant: 'Customer',
    named: 'Customer.code',
    tenants: ['Order', 'Line', 'Refund'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model Customer {
  id      Int      @id @default(autoincrement())
  code    String   @unique @db.VarChar(20)
  orders  Order[]
  refunds Refund[]
}
model Order {
  id           String   @id
  customerCode String   @map("customer_code") @db.VarChar(20)
  customer     Customer @relation(fields: [customerCode], references: [code])
  lines        Line[]
  refunds      Refund[]
}
model Line {
  orderId String @map("order_id")
  at      Int
  order   Order  @relation(fields: [orderId], references: [id])
  @@id([orderId, at])
}
model Refund {
  id      String   @id
  payer   String   @map("payer") @db.VarChar(20)
  orderId String   @unique
  by      Customer @relation(fields: [payer], references: [code])
  order   Order    @relation(fields: [orderId], references: [id])
}
`,
  },
  {
    name: 'a schema that has been spread already',
    tenant: 'Tenant',
    tenants: ['Thing', 'Part'],
    broken: [],
    schema: `${head}
model Tenant {
  id     String  @id
  things Thing[]
}
model Thing {
  tenantId String
  id       String @default(cuid())
  tenant   Tenant @relation(fields: [tenantId], references: [id], onDelete: Cascade, onUpdate: NoAction)
  parts    Part[]
  @@id([tenantId, id])
}
model Part {
  tenantId String
  id       String @default(cuid())
  thingId  String
  thing    Thing  @relation(fields: [tenantId, thingId], references: [tenantId, id], onUpdate: NoAction)
  @@id([tenantId, id])
}
model Job {
  id  Int @id @default(autoincrement())
  run DateTime
}
`,
  },
  {
    name: 'comments behind the lines, arguments in another order, and names that need quotes',
    tenant: 'Tenant',
    tenants: ['Thing', 'Extra'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model Tenant { // who pays
  id     String  @id // as elsewhere
  things Thing[]
  @@map("the tenants")
}
/// A thing.
model Thing {
  id       String @id @default(cuid()) // of a thing
  tenantId String @map("tenant \\"id\\"")
  tenant   Tenant @relation(fields: [tenantId], references: [id], onDelete: Cascade)
  extra    Extra?
  @@map("Things")
}
model Extra {
  thingId String @id
  thing   Thing  @relation(references: [id], fields: [thingId])
}
`,
  },
  {
    name: 'an implicit many-to-many relation with the tenant itself, and one between what tenants share',
    tenant: 'Team',
    tenants: ['Room', 'Booking', 'Chair'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model Team {
  id      Int      @id
  rooms   Room[]   @relation("Own")
  guests  Room[]   @relation("Guests")
  people  Person[]
  booking Booking[]
}
model Person {
  id    Int    @id
  teams Team[]
}
model Room {
  id       Int       @id
  teamId   Int
  team     Team      @relation("Own", fields: [teamId], references: [id])
  guests   Team[]    @relation("Guests")
  chairs   Chair[]
  bookings Booking[]
}
model Chair {
  id     Int  @id
  roomId Int
  room   Room @relation(fields: [roomId], references: [id])
}
model Booking {
  id      Int  @id
  payerId Int
  payer   Team @relation(fields: [payerId], references: [id])
  roomId  Int
  room    Room @relation(fields: [roomId], references: [id])
}
`,
  },
]
