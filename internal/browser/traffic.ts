// Visitors of the SaaS, for some seconds: `traffic.ts <url>`. Prints how many answers came, and how many were wrong.
const [url = ''] = process.argv.slice(2)
const ends = performance.now() + 4000
let answers = 0
let wrong = 0

async function visitor(n: number): Promise<void> {
  const paths = ['/', '/?q=LEDGER', '/?page=2', '/pricing']
  paths.push('/p/tiny-ledger') // example
  for (let at = n; performance.now() < ends; at++) {
    const answer = await fetch(url + (paths[at % paths.length] ?? '/'))
    await answer.text()
    answers++
    if (!answer.ok) wrong++
  }
}

await Promise.all(Array.from({ length: 8 }, (_, n) => visitor(n)))
process.stdout.write(`${answers} answers, ${wrong} wrong\n`)
