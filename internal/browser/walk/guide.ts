import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A document that can be carried out: its `sh` blocks are run, and a block with a path after its language is that file. */
export class Guide {
  readonly #sections: Map<string, string>
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor(path: string, folder: string, env: NodeJS.ProcessEnv) {
    const [, ...sections] = readFileSync(path, 'utf8').split(/^## /m)
    this.#sections = new Map(
      sections.map((section) => {
        const end = section.indexOf('\n')
        return [section.slice(0, end), section.slice(end)]
      }),
    )
    this.#folder = folder
    this.#env = env
  }

  /** Does what one section says, from top to bottom. */
  async follow(title: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    const section = this.#sections.get(title)
    if (section === undefined) throw new Error(`there is no section ${title}`)
    for (const [, language, path, text = ''] of section.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)) {
      if (path) writeFileSync(join(this.#folder, path), text)
      else if (language === 'sh') await this.#run(text, env)
    }
  }

  async #run(script: string, env: NodeJS.ProcessEnv): Promise<void> {
    try {
      await run('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: this.#folder,
        env: { ...this.#env, ...env },
        maxBuffer: 64e6,
      })
    } catch (cause) {
      const { stdout, stderr } = cause as { stdout: string; stderr: string }
      throw new Error(`this failed:\n${script}\n${stdout}\n${stderr}`, { cause })
    }
  }
}
