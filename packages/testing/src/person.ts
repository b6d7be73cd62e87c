import type { BrowserContext, Page } from 'playwright-core'

let people = 0

/** What a person does in the SaaS, step by step as they would. */
export class Person {
  readonly page: Page
  readonly email: string
  readonly url: string

  private constructor(page: Page, url: string, email: string) {
    this.page = page
    this.url = url
    this.email = email
  }

  /** Opens the first page as somebody who has not been here. */
  static async arrive(context: BrowserContext, url: string): Promise<Person> {
    const page = await context.newPage()
    await page.goto(url)
    return new Person(page, url, `person-${process.pid}-${++people}@example.com`)
  }

  async signUp(name: string): Promise<void> {
    const { page } = this
    await page.getByRole('link', { name: 'Join', exact: true }).first().click()
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('E-mail').fill(this.email)
    await page.getByLabel('Password').fill('a good password')
    await page.getByRole('button', { name: 'Join' }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
  }

  /** Through Checkout's page, with a card that works. */
  async subscribe(button: 'Try Pro' | 'Choose Team'): Promise<void> {
    const { page } = this
    await page.goto(`${this.url}/pricing`)
    await page.getByRole('button', { name: button }).click()
    await page.getByRole('button', { name: 'Pay', exact: true }).click()
    await page.getByText('Thank you. Your plan is active.').waitFor()
  }

  /** What the billing page says of the plan. */
  async plan(): Promise<string> {
    await this.page.goto(`${this.url}/billing`)
    return this.page.getByRole('main').innerText()
  }
}
