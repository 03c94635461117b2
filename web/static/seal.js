// Seals a bid where it is typed: nothing of it is sent but the digest (docs/sealed.md). Without it seal.py does the same.
const template = document.querySelector('template[data-bid]')
const bid = JSON.parse(template.dataset.bid)
const form = document.querySelector('main form')
const own = document.createElement('div')
own.append(template.content)
template.replaceWith(own)
document.querySelectorAll('[data-without]').forEach(one => one.remove())
const fault = own.querySelector('[role=alert]')
const done = own.querySelector('[role=status]')

const hex = bytes => [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, '0')).join('')
const hash = async bytes => hex(await crypto.subtle.digest('SHA-256', bytes))
const canonical = value =>
  Array.isArray(value) ? `[${value.map(canonical)}]`
    : value !== null && typeof value === 'object'
      ? `{${Object.keys(value).sort().map(key => `${JSON.stringify(key)}:${canonical(value[key])}`)}}`
      : JSON.stringify(value)
const find = name => own.querySelector(`[name="${name}"]`)

function refuse (field, told = '') {
  field.focus()
  throw new Error(told || field.closest('.govuk-form-group, fieldset').querySelector('label, legend').textContent.trim())
}

// What the rules let a bid ask (AP02, M6, K1), by the values that the page has of the round. The rest is judged at the opening.
function hold (application, limits) {
  const { requested, match_pledged: pledged, partners, fields } = application
  const broken = {
    requested: limits.cap !== null && requested > limits.cap,
    match_pledged: pledged * 100 < limits.match * (requested + pledged),
    partners: 'partners' in limits.told && partners.length > 0,
    fields: limits.fields !== null && fields.some(one => !limits.fields.includes(one))
  }
  const name = Object.keys(broken).find(one => broken[one])
  if (name) refuse(find(`p.${name}`), limits.told[name])
}

function number (field, places) {
  const parts = /^(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(?:\.(\d+))?([萬万]?)$/.exec(field.value.trim())
  const [, whole, part = '', tens] = parts ?? refuse(field)
  const all = places && tens ? places + 4 : places
  if (part.length > all || (!places && tens)) refuse(field)
  return Number(whole.replaceAll(',', '') + part.padEnd(all, '0'))
}

async function document_ (file, field) {
  const type = bid.types[/\.[^.]+$/.exec(file.name)?.[0].toLowerCase()]
  if (!type) refuse(field)
  return { sha256: await hash(await file.arrayBuffer()), media_type: type, name: file.name }
}

async function read (kind, name) {
  if (Array.isArray(kind)) {
    const field = find(kind[0] === 'document' ? `${name}.file` : name)
    if (kind[0] === 'document') return Promise.all([...field.files].map(file => document_(file, field)))
    return field.value.split(field.tagName === 'TEXTAREA' ? '\n' : /[,，、]/).map(one => one.trim()).filter(Boolean)
  }
  if (typeof kind === 'object') {
    const values = await readAll(kind, name)
    return Object.keys(values).length ? values : undefined
  }
  const field = find(name)
  if (!field.value.trim()) return undefined
  if (kind === 'money') return number(field, 2)
  return kind === 'integer' ? number(field, 0) : field.value.trim().replaceAll('\r\n', '\n')
}

async function readAll (kinds, prefix) {
  const values = {}
  for (const [name, kind] of Object.entries(kinds)) {
    const value = await read(kind, `${prefix}.${name}`)
    if (value !== undefined && !(Array.isArray(value) && !value.length)) values[name] = value
  }
  return values
}

own.querySelector('button').addEventListener('click', async () => {
  fault.textContent = ''
  try {
    const said = Object.fromEntries(['round', 'organisation'].map(name => [name, form.elements[`p.${name}`].value.trim()]))
    const application = { ...bid.otherwise, ...said, ...await readAll(bid.fields, 'p') }
    const lacking = bid.required.find(name => !application[name])
    if (lacking) refuse(find(`p.${lacking}`) ?? form.elements[`p.${lacking}`])
    if (!application.need && !application.statement) refuse(find('p.statement'))
    if (bid.limits[said.round]) hold(application, bid.limits[said.round])
    const nonce = hex(crypto.getRandomValues(new Uint8Array(16)))
    const digest = await hash(new TextEncoder().encode(canonical({ ...application, nonce })))
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ application, nonce, digest }, null, 1)]))
    link.download = `${template.dataset.name}.sealed.json`
    link.click()
    form.elements['p.digest'].value = digest
    done.hidden = false
  } catch (wrong) {
    fault.textContent = fault.dataset.wrong + wrong.message
  }
})
