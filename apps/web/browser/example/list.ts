import type { Person } from '@outgrow/testing/person'

/** Lists a product as somebody who is signed in would. */
export async function list(person: Person, name: string, tagline = 'Does one thing well'): Promise<void> {
  const { page, url } = person
  await page.goto(`${url}/list`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Tagline').fill(tagline)
  await page.getByLabel('Link').fill('https://example.com/product')
  await page.getByLabel('Stage').selectOption('GROWING')
  await page.getByLabel('Stack').fill('Prisma, SQLite')
  await page.getByRole('button', { name: 'Save' }).click()
}
