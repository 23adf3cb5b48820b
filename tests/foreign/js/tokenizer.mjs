// Reads an exported model's tokenizer with Hugging Face's own library and compares its ids with bytes.
//
//   npm pack @huggingface/tokenizers@0.2.0 && tar xzf huggingface-tokenizers-0.2.0.tgz
//   node tests/foreign/js/tokenizer.mjs package EXPORTED-FOLDER
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [library, folder] = process.argv.slice(2)
const { Tokenizer } = await import(pathToFileURL(path.resolve(library, 'dist/tokenizers.mjs')))
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'))
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'))

const beginOfText = 256
const everyByte = Array.from({ length: 0x800 }, (_, code) => String.fromCodePoint(code)).join('')
for (const text of ['Hello, world', 'Où — 日?\n\n  two  spaces', 'नमस्ते', 'ሰላም', everyByte]) {
  const { ids } = tokenizer.encode(text)
  const expected = [beginOfText, ...Buffer.from(text, 'utf8')]
  if (ids.length !== expected.length || ids.some((id, i) => id !== expected[i])) {
    throw new Error(`other ids for ${JSON.stringify(text.slice(0, 40))}`)
  }

  if (tokenizer.decode(ids, { skip_special_tokens: true }) !== text) {
    throw new Error(`other text for ${JSON.stringify(text.slice(0, 40))}`)
  }
}

console.log('the same ids and the same text')
