import { head, type ScaleCase } from './scale-case.ts'

/** Organizations, workspaces, teams and people. */
export const tenancies: ScaleCase[] = [
  {
    name: 'organizations, with members and invitations',
    tenant: 'Organization',
    tenants: ['Member', 'Invitation', 'Project', 'Task', 'TaskComment'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model User {
  id          String        @id @default(cuid())
  email       String        @unique
  sessions    Session[]
  members     Member[]
  invitations Invitation[]
  tasks       Task[]
  comments    TaskComment[]
}
model Session {
  id     String @id @default(cuid())
  token  String @unique
  userId String
  user   User   @relation(fields: [userId], references: [id], onDelete: Cascade)
}
model Organization {
  id          String       @id @default(cuid())
  slug        String       @unique
  members     Member[]
  invitations Invitation[]
  projects    Project[]
}
model Member {
  id             String       @id @default(cuid())
  organizationId String
  userId         String
  organization   Organization @relation(fields: [organizationId], references: [id], onDelete: Cascade)
  user           User         @relation(fields: [userId], references: [id], onDelete: Cascade)
  @@unique([organizationId, userId])
}
model Invitation {
  id             String       @id @default(cuid())
  email          String
  organizationId String
  inviterId      String
  organization   Organization @relation(fields: [organizationId], references: [id], onDelete: Cascade)
  inviter        User         @relation(fields: [inviterId], references: [id])
}
model Project {
  id             String       @id @default(cuid())
  name           String
  organizationId String
  organization   Organization @relation(fields: [organizationId], references: [id])
  tasks          Task[]
}
model Task {
  id         String        @id @default(cuid())
  number     Int
  projectId  String
  assigneeId String?
  project    Project       @relation(fields: [projectId], references: [id], onDelete: Cascade)
  assignee   User?         @relation(fields: [assigneeId], references: [id], onDelete: SetNull)
  comments   TaskComment[]
  @@unique([projectId, number])
}
model TaskComment {
  id       String @id @default(cuid())
  body     String
  taskId   String
  authorId String
  task     Task   @relation(fields: [taskId], references: [id], onDelete: Cascade)
  author   User   @relation(fields: [authorId], references: [id])
}
`,
  },
  {
    name: 'workspaces below an owner, who has few models of his own',
    tenant: 'Workspace',
    tenants: ['Board', 'Column', 'Card', 'Label', 'ApiKey'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model Owner {
  id         String      @id @default(uuid()) @db.Uuid
  workspaces Workspace[]
}
model Workspace {
  id      String   @id @default(uuid()) @db.Uuid
  ownerId String   @db.Uuid
  owner   Owner    @relation(fields: [ownerId], references: [id])
  boards  Board[]
  labels  Label[]
  apiKeys ApiKey[]
}
model Board {
  id           String    @id @default(uuid()) @db.Uuid
  workspace_id String    @db.Uuid
  workspace    Workspace @relation(fields: [workspace_id], references: [id], onDelete: Cascade, onUpdate: Restrict)
  columns      Column[]
}
model Column {
  id       String @id @default(uuid()) @db.Uuid
  board_id String @db.Uuid
  board    Board  @relation(fields: [board_id], references: [id], onDelete: Cascade)
  cards    Card[]
}
model Card {
  id        String  @id @default(uuid()) @db.Uuid
  column_id String  @db.Uuid
  column    Column  @relation(fields: [column_id], references: [id])
  labels    Label[]
}
model Label {
  id           String    @id @default(uuid()) @db.Uuid
  name         String
  workspace_id String    @db.Uuid
  workspace    Workspace @relation(fields: [workspace_id], references: [id])
  cards        Card[]
  @@unique([workspace_id, name], map: "one_name")
}
model ApiKey {
  id           String     @id @default(uuid()) @db.Uuid
  hash         String     @unique(map: "one_hash")
  workspace_id String?    @db.Uuid
  workspace    Workspace? @relation(fields: [workspace_id], references: [id])
}
`,
  },
  {
    name: 'teams under a plan that all need',
    tenant: 'Team',
    tenants: ['Subscription', 'Site', 'Page', 'Visit'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model Plan {
  id    Int    @id
  teams Team[]
  prices Price[]
}
model Price {
  id Int @id
  planId Int
  plan Plan @relation(fields: [planId], references: [id])
}
model Team {
  id     Int    @id @default(autoincrement())
  planId Int
  plan   Plan   @relation(fields: [planId], references: [id])
  subscription Subscription?
  sites  Site[]
  visits Visit[]
}
model Subscription {
  teamId Int @id @map("team_id")
  team   Team @relation(fields: [teamId], references: [id], onDelete: Cascade)
  status String
}
model Site {
  id     BigInt @id @default(autoincrement())
  domain String @unique
  teamId Int    @map("team_id")
  team   Team   @relation(fields: [teamId], references: [id])
  pages  Page[]
}
model Page {
  siteId BigInt @map("site_id")
  path   String
  site   Site   @relation(fields: [siteId], references: [id])
  visits Visit[]
  @@id([siteId, path])
}
model Visit {
  id     BigInt @id @default(autoincrement())
  siteId BigInt @map("site_id")
  path   String
  team_id Int
  page   Page   @relation(fields: [siteId, path], references: [siteId, path])
  team   Team   @relation(fields: [team_id], references: [id])
}
`,
  },
  {
    name: 'people, each with rows of his own',
    tenant: 'User',
    tenants: ['Account', 'Session', 'Habit', 'Entry', 'Settings'],
    broken: [1, 2, 3, 4],
    schema: `${head}
model User {
  id        String    @id @default(cuid())
  email     String    @unique
  accounts  Account[]
  sessions  Session[]
  habits    Habit[]
  settings  Settings?
  invitedBy   User?   @relation("Invited", fields: [invitedById], references: [id])
  invitedById String?
  invited     User[]  @relation("Invited")
}
model Account {
  userId            String
  provider          String
  providerAccountId String
  user              User   @relation(fields: [userId], references: [id], onDelete: Cascade)
  @@id([provider, providerAccountId])
}
model Session {
  sessionToken String @unique
  userId       String
  user         User   @relation(fields: [userId], references: [id], onDelete: Cascade)
}
model Habit {
  id      String  @id @default(cuid())
  userId  String
  user    User    @relation(fields: [userId], references: [id], onDelete: Cascade)
  entries Entry[]
}
model Entry {
  habitId String
  day     DateTime @db.Date
  habit   Habit    @relation(fields: [habitId], references: [id], onDelete: Cascade)
  @@id([habitId, day])
}
model Settings {
  id     String @id @default(cuid())
  userId String @unique
  user   User   @relation(fields: [userId], references: [id], onDelete: Cascade)
}
`,
  },
]

/** Schemas whose tenant the relations do not show. */
export const unclear: Record<string, string> = {
  'a blog without tenants': `${head}
model Author {
  id    Int    @id
  posts Post[]
}
model Post {
  id         Int        @id
  authorId   Int?
  author     Author?    @relation(fields: [authorId], references: [id])
  categories Category[]
  comments   Comment[]
}
model Category {
  id    Int    @id
  posts Post[]
}
model Comment {
  id     Int  @id
  postId Int
  post   Post @relation(fields: [postId], references: [id])
}
model Tag {
  id Int @id
  name String
  synonyms Synonym[]
}
model Synonym {
  id Int @id
  tagId Int
  tag Tag @relation(fields: [tagId], references: [id])
}
`,
  'two sides of a market': `${head}
model Buyer {
  id     Int     @id
  orders Order[]
}
model Seller {
  id     Int     @id
  orders Order[]
}
model Order {
  id       Int    @id
  buyerId  Int
  sellerId Int
  buyer    Buyer  @relation(fields: [buyerId], references: [id])
  seller   Seller @relation(fields: [sellerId], references: [id])
}
`,
  'models that know nothing of each other': `${head}
model Reading {
  id Int @id
}
model Setting {
  id Int @id
}
`,
}
