import { lockForUpdate, withRetry, type Prisma } from '@outgrow/db'
import { fileTypeFromBuffer } from 'file-type'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { z } from 'zod'
import { formOf } from '../form-of.ts'
import { addListing, limitsOf, listingForm } from './listings.ts'
import { requireVisitor } from '../require-visitor.ts'
import type { Services, WebEnvironment } from '../services.ts'
import { control, Field } from '../views/form.tsx'
import { Layout } from '../views/layout.tsx'
import { stages } from './stage.tsx'
import type { Visitor } from '../services.ts'

const maxImageBytes = 1_000_000
const imageTypes = new Set(['image/png', 'image/jpeg', 'image/webp'])

type Values = Record<string, string>
type Errors = Partial<Record<string, string>>

/** What an account lists: adding, changing, featuring, pictures. Each is checked to be the account's own. */
export function ownPages(app: Hono<WebEnvironment>, { database, store }: Services): void {
  const { client } = database

  app.get('/mine', async (context) => {
    const visitor = requireVisitor(context)
    const [products, limits] = await Promise.all([
      client.product.findMany({
        where: { accountId: visitor.accountId },
        orderBy: { id: 'desc' },
        include: { screenshots: { select: { id: true, caption: true }, orderBy: { id: 'asc' } } },
      }),
      limitsOf(store, visitor.accountId),
    ])
    return context.html(
      <Mine visitor={visitor} products={products} limits={limits} notice={context.req.query('done')} />,
    )
  })

  app.get('/list', (context) => {
    const visitor = requireVisitor(context)
    return context.html(
      <ListingForm visitor={visitor} title="List your product" action="/list" values={{}} errors={{}} />,
    )
  })

  app.post('/list', async (context) => {
    const visitor = requireVisitor(context)
    const values = textFields(await formOf(context))
    const form = listingForm.safeParse(values)
    const again = (errors: Errors, status: 402 | 422) =>
      context.html(
        <ListingForm
          visitor={visitor}
          title="List your product"
          action="/list"
          values={values}
          errors={errors}
        />,
        status,
      )
    if (!form.success) return again(errorsOf(form.error), 422)
    const slug = await addListing({ database, store }, visitor, form.data)
    return slug === undefined ? again({ limit: 'yes' }, 402) : context.redirect(`/p/${slug}`, 303)
  })

  app.get('/mine/:id', async (context) => {
    const visitor = requireVisitor(context)
    const product = await own(context.req.param('id'), visitor)
    const values = {
      name: product.name,
      tagline: product.tagline,
      link: product.link,
      stage: product.stage,
      stack: Array.isArray(product.stack) ? product.stack.join(', ') : '',
    }
    return context.html(
      <ListingForm
        visitor={visitor}
        title={`Change ${product.name}`}
        action={`/mine/${product.id}`}
        values={values}
        errors={{}}
      />,
    )
  })

  app.post('/mine/:id', async (context) => {
    const visitor = requireVisitor(context)
    const { id } = await own(context.req.param('id'), visitor)
    const values = textFields(await formOf(context))
    const form = listingForm.safeParse(values)
    if (!form.success) {
      const errors = errorsOf(form.error)
      return context.html(
        <ListingForm
          visitor={visitor}
          title="Change your product"
          action={`/mine/${id}`}
          values={values}
          errors={errors}
        />,
        422,
      )
    }
    await client.product.update({ where: { id }, data: form.data })
    return context.redirect('/mine?done=saved', 303)
  })

  app.post('/mine/:id/delete', async (context) => {
    const { id } = await own(context.req.param('id'), requireVisitor(context))
    await client.product.delete({ where: { id } })
    return context.redirect('/mine?done=deleted', 303)
  })

  app.post('/mine/:id/feature', async (context) => {
    const visitor = requireVisitor(context)
    const { id, featured } = await own(context.req.param('id'), visitor)
    const limits = await limitsOf(store, visitor.accountId)
    if (!featured && !limits.featured)
      throw new HTTPException(403, { message: 'Featuring a product needs the Pro plan.' })
    await client.product.update({ where: { id }, data: { featured: !featured } })
    return context.redirect('/mine', 303)
  })

  app.post('/mine/:id/screenshots', async (context) => {
    const visitor = requireVisitor(context)
    const { id } = await own(context.req.param('id'), visitor)
    const { image, caption } = await formOf(context)
    if (!(image instanceof File) || image.size === 0)
      throw new HTTPException(400, { message: 'Choose a picture first.' })
    if (image.size > maxImageBytes)
      throw new HTTPException(413, { message: 'A picture can have at most 1 MB.' })
    const bytes = new Uint8Array(await image.arrayBuffer())
    // What the bytes are decides, never what the browser says.
    const type = await fileTypeFromBuffer(bytes)
    if (!type || !imageTypes.has(type.mime))
      throw new HTTPException(400, { message: 'Only PNG, JPEG and WebP pictures can be shown.' })
    const { screenshots: most } = await limitsOf(store, visitor.accountId)
    const text = typeof caption === 'string' ? caption.trim().slice(0, 140) : ''
    const added = await withRetry(() =>
      client.$transaction(async (tx) => {
        await lockForUpdate(database, tx, 'product', { id })
        if (most !== null && (await tx.screenshot.count({ where: { productId: id } })) >= most) return false
        const data = { productId: id, mediaType: type.mime, image: bytes, caption: text === '' ? null : text }
        await tx.screenshot.create({ data, select: { id: true } })
        return true
      }),
    )
    if (!added)
      throw new HTTPException(403, {
        message: `Your plan allows ${most} ${most === 1 ? 'picture' : 'pictures'} per product.`,
      })
    return context.redirect('/mine?done=added', 303)
  })

  app.post('/mine/:id/screenshots/:shot/delete', async (context) => {
    const { id } = await own(context.req.param('id'), requireVisitor(context))
    const shot = /^\d{1,9}$/.test(context.req.param('shot')) ? Number(context.req.param('shot')) : 0
    await client.screenshot.deleteMany({ where: { id: shot, productId: id } })
    return context.redirect('/mine', 303)
  })

  /** The account's own product; another's is as good as none. */
  async function own(id: string, { accountId }: Visitor) {
    const product = /^\d{1,9}$/.test(id)
      ? await client.product.findFirst({ where: { id: Number(id), accountId } })
      : null
    if (!product) throw new HTTPException(404, { message: 'You have no such product.' })
    return product
  }
}

function textFields(body: Record<string, unknown>): Values {
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

function errorsOf(error: z.ZodError): Errors {
  return Object.fromEntries(error.issues.map(({ path, message }) => [String(path[0]), message]))
}

const notices: Record<string, string> = {
  saved: 'Saved.',
  deleted: 'The product is no longer listed.',
  added: 'The picture was added.',
}

interface MineProps {
  visitor: Visitor
  products: Prisma.ProductGetPayload<{ include: { screenshots: { select: { id: true; caption: true } } } }>[]
  limits: Awaited<ReturnType<typeof limitsOf>>
  notice: string | undefined
}

function Mine({ visitor, products, limits, notice }: MineProps) {
  return (
    <Layout
      visitor={visitor}
      title="My products"
      notice={Object.hasOwn(notices, notice ?? '') ? notices[notice ?? ''] : undefined}
    >
      <div class="head">
        <h1>My products</h1>
        <a class="button" href="/list">
          List a product
        </a>
      </div>
      <p class="quiet">
        {products.length} of {limits.listings ?? 'any number of'} listings used.{' '}
        {!limits.featured && <a href="/pricing">Pro includes ten, all of which can be featured.</a>}
      </p>
      {products.length === 0 && <p class="empty">You have not listed anything yet.</p>}
      {products.map((product) => (
        <section class="card" aria-labelledby={`product-${product.id}`}>
          <div class="head">
            <h2 id={`product-${product.id}`}>
              <a href={`/p/${product.slug}`}>{product.name}</a>{' '}
              {product.featured && <span class="chip">featured</span>}
            </h2>
            <p class="quiet">{product.voteCount} votes</p>
          </div>
          <p>{product.tagline}</p>
          {product.screenshots.length > 0 && (
            <ul class="shots small">
              {product.screenshots.map(({ id, caption }) => (
                <li>
                  <img
                    src={`/screenshots/${id}`}
                    alt={caption ?? `Screenshot of ${product.name}`}
                    loading="lazy"
                  />
                  <form method="post" action={`/mine/${product.id}/screenshots/${id}/delete`}>
                    <button class="link">Remove</button>
                  </form>
                </li>
              ))}
            </ul>
          )}
          <form
            class="inline"
            method="post"
            action={`/mine/${product.id}/screenshots`}
            enctype="multipart/form-data"
          >
            <label>
              Screenshot <span class="quiet">PNG, JPEG or WebP, 1 MB at most</span>
              <input type="file" name="image" accept="image/png,image/jpeg,image/webp" required />
            </label>
            <label>
              What it shows
              <input name="caption" maxlength={140} />
            </label>
            <button class="plain">Add</button>
          </form>
          <div class="actions">
            <a class="button plain" href={`/mine/${product.id}`}>
              Change
            </a>
            <form method="post" action={`/mine/${product.id}/feature`}>
              <button class="plain" disabled={!product.featured && !limits.featured}>
                {product.featured ? 'Stop featuring' : 'Feature'}
              </button>
            </form>
            <form method="post" action={`/mine/${product.id}/delete`}>
              <button class="plain danger">Delete</button>
            </form>
          </div>
        </section>
      ))}
    </Layout>
  )
}

interface FormProps {
  visitor: Visitor
  title: string
  action: string
  values: Values
  errors: Errors
}

function ListingForm({ visitor, title, action, values, errors }: FormProps) {
  const text = (name: string) => ({ ...control(name, errors[name]), value: values[name] ?? '' })
  return (
    <Layout visitor={visitor} title={title}>
      <h1>{title}</h1>
      {errors.limit !== undefined && (
        <p class="notice warn" role="alert">
          You have used all the listings in your plan. <a href="/pricing">Pro includes ten.</a>
        </p>
      )}
      <form method="post" action={action} class="stack narrow">
        <Field name="name" label="Name" error={errors.name}>
          <input {...text('name')} maxlength={60} required />
        </Field>
        <Field name="tagline" label="Tagline" error={errors.tagline}>
          <input {...text('tagline')} maxlength={140} required />
        </Field>
        <Field name="link" label="Link" error={errors.link}>
          <input {...text('link')} type="url" placeholder="https://" required />
        </Field>
        <Field name="stage" label="Stage" error={errors.stage}>
          <select {...control('stage', errors.stage)}>
            {stages.map(({ stage, label, text: meaning }) => (
              <option value={stage} selected={values.stage === stage}>
                {label}: {meaning}
              </option>
            ))}
          </select>
        </Field>
        <Field
          name="stack"
          label="Stack"
          hint="What it is built with, separated by commas."
          error={errors.stack}
        >
          <input {...control('stack', errors.stack, true)} value={values.stack ?? ''} maxlength={200} />
        </Field>
        <button>Save</button>
      </form>
    </Layout>
  )
}
