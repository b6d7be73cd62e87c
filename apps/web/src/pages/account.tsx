import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { formOf } from '../form-of.ts'
import { product } from '../product.ts'
import { localPath } from '../require-visitor.ts'
import type { Services, WebEnvironment } from '../services.ts'
import { control, Field } from '../views/form.tsx'
import { Layout } from '../views/layout.tsx'
import { authHeaders } from '../visitor.ts'

/** Signing up, in and out. The library judges; these pages only speak for it. */
export function accountPages(app: Hono<WebEnvironment>, services: Services): void {
  for (const kind of ['sign-in', 'sign-up'] as const) {
    app.get(`/${kind}`, (context) =>
      context.get('visitor')
        ? context.redirect(localPath(context.req.query('to')), 303)
        : context.html(<SignForm kind={kind} to={localPath(context.req.query('to'))} />),
    )
    app.post(`/${kind}`, async (context) => {
      const form = await formOf(context)
      const field = (name: string) => (typeof form[name] === 'string' ? form[name].trim().slice(0, 200) : '')
      const to = localPath(field('to'))
      const email = field('email')
      const name = field('name')
      const password = typeof form.password === 'string' ? form.password : ''
      const answer = await ask(context, `/${kind}/email`, {
        email,
        password,
        ...(kind === 'sign-up' ? { name: name === '' ? email.split('@')[0] : name } : {}),
      })
      if (!answer.ok) {
        const status = answer.status as ContentfulStatusCode
        const { code } = (await answer.json().catch(() => ({}))) as { code?: string }
        return context.html(
          <SignForm kind={kind} to={to} email={email} name={name} error={errorText(status, code)} />,
          status,
        )
      }
      for (const cookie of answer.headers.getSetCookie())
        context.header('set-cookie', cookie, { append: true })
      return context.redirect(to, 303)
    })
  }
  app.post('/sign-out', async (context) => {
    const answer = await ask(context, '/sign-out', {})
    for (const cookie of answer.headers.getSetCookie()) context.header('set-cookie', cookie, { append: true })
    return context.redirect('/', 303)
  })

  /** Through the library's own handler, where its rate limits are. */
  function ask(context: Context, path: string, body: object): Promise<Response> {
    const headers = authHeaders(context, services)
    headers.set('content-type', 'application/json')
    return services.auth.handler(
      new Request(`${services.appUrl}/auth${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
    )
  }
}

function errorText(status: number, code: string | undefined): string {
  if (status === 429) return 'Too many attempts. Wait a minute and try again.'
  switch (code) {
    case 'INVALID_EMAIL_OR_PASSWORD':
      return 'The e-mail address or the password is wrong.'
    case 'PASSWORD_TOO_SHORT':
      return 'The password needs at least 10 characters.'
    case 'PASSWORD_TOO_LONG':
      return 'The password can have at most 128 characters.'
    case 'USER_ALREADY_EXISTS':
    case 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL':
      return 'An account with this address already exists. Sign in instead.'
    case 'VALIDATION_ERROR':
    case 'INVALID_EMAIL':
      return 'That is not an e-mail address.'
    default:
      return 'That did not work. Check the address and the password.'
  }
}

interface SignFormProps {
  kind: 'sign-in' | 'sign-up'
  to: string
  email?: string
  name?: string
  error?: string
}

function SignForm({ kind, to, email = '', name = '', error }: SignFormProps) {
  const isNew = kind === 'sign-up'
  return (
    <Layout visitor={undefined} title={isNew ? 'Join' : 'Sign in'}>
      <div class="narrow center">
        <h1>{isNew ? `Join ${product.name}` : 'Sign in'}</h1>
        {error !== undefined && (
          <p class="notice warn" role="alert">
            {error}
          </p>
        )}
        <form method="post" action={`/${kind}`} class="stack">
          <input type="hidden" name="to" value={to} />
          {isNew && (
            <Field name="name" label="Name">
              <input {...control('name')} value={name} autocomplete="name" maxlength={60} required />
            </Field>
          )}
          <Field name="email" label="E-mail">
            <input {...control('email')} type="email" value={email} autocomplete="email" required />
          </Field>
          <Field name="password" label="Password" {...(isNew ? { hint: 'At least 10 characters.' } : {})}>
            <input
              {...control('password', undefined, isNew)}
              type="password"
              autocomplete={isNew ? 'new-password' : 'current-password'}
              minlength={isNew ? 10 : undefined}
              maxlength={128}
              required
            />
          </Field>
          <button>{isNew ? 'Join' : 'Sign in'}</button>
        </form>
        <p class="quiet">
          {isNew ? 'Here before? ' : 'New here? '}
          <a href={`/${isNew ? 'sign-in' : 'sign-up'}?to=${encodeURIComponent(to)}`}>
            {isNew ? 'Sign in' : 'Join'}
          </a>
        </p>
      </div>
    </Layout>
  )
}
