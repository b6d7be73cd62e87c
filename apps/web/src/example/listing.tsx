import type { Prisma } from '@outgrow/db'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { formOf } from '../form-of.ts'
import { toggleVote } from './listings.ts'
import { localPath, requireVisitor } from '../require-visitor.ts'
import type { Services, WebEnvironment } from '../services.ts'
import { control, Field } from '../views/form.tsx'
import { Layout } from '../views/layout.tsx'
import { StageMark } from './stage.tsx'

const commentForm = z.object({
  body: z
    .string({ error: 'Write something.' })
    .trim()
    .min(1, 'Write something.')
    .max(2000, 'At most 2,000 characters.'),
})

/** One product: what it is, its screenshots, votes and comments. */
export function listingPages(app: Hono<WebEnvironment>, { database }: Services): void {
  const { client } = database

  app.get('/p/:slug', async (context) =>
    page(context.req.param('slug'), context.get('visitor')?.id).then((listing) =>
      context.html(<ListingPage {...listing} visitor={context.get('visitor')} />),
    ),
  )

  app.post('/p/:slug/vote', async (context) => {
    const visitor = requireVisitor(context)
    const { id } = await listed(context.req.param('slug'))
    await toggleVote(database, visitor.id, id)
    const from = context.req.header('referer')
    // After a refused comment the page's address is one that only takes forms.
    return context.redirect(
      from === undefined
        ? `/p/${context.req.param('slug')}`
        : localPath(pathOf(from).replace(/\/comments$/, '')),
      303,
    )
  })

  app.post('/p/:slug/comments', async (context) => {
    const visitor = requireVisitor(context)
    const slug = context.req.param('slug')
    const { id } = await listed(slug)
    const values = await formOf(context)
    const form = commentForm.safeParse(values)
    if (!form.success) {
      const error = form.error.issues[0]?.message
      const draft = typeof values.body === 'string' ? values.body : ''
      return context.html(
        <ListingPage {...await page(slug, visitor.id)} visitor={visitor} error={error} draft={draft} />,
        422,
      )
    }
    await client.comment.create({
      data: { body: form.data.body, productId: id, authorId: visitor.id },
    })
    return context.redirect(`/p/${slug}#comments`, 303)
  })

  app.post('/comments/:id/delete', async (context) => {
    const visitor = requireVisitor(context)
    const id = /^\d{1,18}$/.test(context.req.param('id')) ? BigInt(context.req.param('id')) : 0n
    const comment = await client.comment.findUnique({ where: { id }, include: { product: true } })
    if (!comment) throw new HTTPException(404, { message: 'There is no such comment.' })
    if (comment.authorId !== visitor.id)
      throw new HTTPException(403, { message: 'This comment is not yours.' })
    await client.comment.delete({ where: { id } })
    return context.redirect(`/p/${comment.product.slug}#comments`, 303)
  })

  async function listed(slug: string): Promise<{ id: number }> {
    const product = await client.product.findFirst({
      where: { slug, publishedAt: { not: null } },
      select: { id: true },
    })
    if (!product) throw new HTTPException(404, { message: 'There is no such product.' })
    return product
  }

  async function page(slug: string, userId: string | undefined) {
    const { id } = await listed(slug)
    const [product, voted] = await Promise.all([
      client.product.findUniqueOrThrow({ where: { id }, include: shown }),
      userId === undefined
        ? null
        : client.vote.findUnique({ where: { userId_productId: { userId, productId: id } } }),
    ])
    return { product, voted: voted !== null }
  }
}

const shown = {
  screenshots: { select: { id: true, caption: true }, orderBy: { id: 'asc' } },
  comments: { orderBy: { id: 'desc' }, take: 100, include: { author: { select: { id: true, name: true } } } },
  owner: { select: { name: true } },
} satisfies Prisma.ProductInclude

interface PageProps {
  product: Prisma.ProductGetPayload<{ include: typeof shown }>
  voted: boolean
  visitor: WebEnvironment['Variables']['visitor']
  error?: string | undefined
  /** The comment that was refused. */
  draft?: string
}

function ListingPage({ product, voted, visitor, error, draft = '' }: PageProps) {
  const stack = Array.isArray(product.stack) ? product.stack.filter((part) => typeof part === 'string') : []
  return (
    <Layout visitor={visitor} title={product.name} description={product.tagline}>
      <article>
        <div class="lead">
          <form method="post" action={`/p/${product.slug}/vote`}>
            <button
              class="vote"
              aria-pressed={voted ? 'true' : 'false'}
              aria-label={`Vote for ${product.name}, ${product.voteCount} votes`}
            >
              <span aria-hidden="true">▲</span>
              {product.voteCount}
            </button>
          </form>
          <div>
            <h1>{product.name}</h1>
            <p class="tagline">{product.tagline}</p>
          </div>
        </div>
        <p class="facts">
          <StageMark stage={product.stage} />
          {stack.map((part) => (
            <span class="chip">{part}</span>
          ))}
          <a class="button small" href={product.link} rel="nofollow noopener ugc">
            Visit {product.name}
          </a>
        </p>
        {product.screenshots.length > 0 && (
          <ul class="shots">
            {product.screenshots.map(({ id, caption }, at) => (
              <li>
                <img
                  src={`/screenshots/${id}`}
                  alt={caption ?? `Screenshot ${at + 1} of ${product.name}`}
                  loading="lazy"
                />
              </li>
            ))}
          </ul>
        )}
        {product.owner?.name && <p class="quiet">Listed by {product.owner.name}</p>}
      </article>
      <section id="comments" aria-labelledby="comments-title">
        <h2 id="comments-title">Comments</h2>
        {visitor ? (
          <form method="post" action={`/p/${product.slug}/comments`} class="stack">
            <Field name="body" label="Your comment" error={error}>
              <textarea {...control('body', error)} rows={3} maxlength={2000} required>
                {draft}
              </textarea>
            </Field>
            <button>Comment</button>
          </form>
        ) : (
          <p>
            <a href={`/sign-in?to=/p/${product.slug}`}>Sign in</a> to comment.
          </p>
        )}
        {product.comments.length === 0 ? (
          <p class="empty">No comments yet.</p>
        ) : (
          <ul class="comments">
            {product.comments.map((comment) => (
              <li>
                <p class="quiet">
                  <strong>{comment.author?.name ?? 'Somebody'}</strong>{' '}
                  <time datetime={comment.createdAt.toISOString()}>
                    {comment.createdAt.toISOString().slice(0, 10)}
                  </time>
                </p>
                <p class="text">{comment.body}</p>
                {visitor && comment.author?.id === visitor.id && (
                  <form method="post" action={`/comments/${comment.id}/delete`}>
                    <button class="link">Delete</button>
                  </form>
                )}
              </li>
            ))}
          </ul>
        )}
      </section>
    </Layout>
  )
}

function pathOf(address: string): string {
  try {
    const { pathname, search } = new URL(address)
    return pathname + search
  } catch {
    return '/'
  }
}
