// What the components do beyond HTML: focus on the error summary, no double submit, what a form comes to while it is
// filled in, how far a document has come, and tables that are read as cards on a telephone. Every page works without it.
import { initAll } from './govuk-frontend-6.3.0.min.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()

for (const table of document.querySelectorAll('table[data-sum]')) {
  const inputs = [...table.querySelectorAll('input:not([type=hidden])')]
  const total = table.querySelector('output')
  table.addEventListener('input', () => {
    const hundredths = inputs.reduce((sum, input) => sum + Math.round(100 * (Number(input.value) || 0)), 0)
    total.textContent = String(hundredths / 100)
  })
}

// A table of many columns is a card a row on a narrow screen (console.css): each cell then needs the words of its
// column beside it, and the roles that it loses when it is no longer laid out as a table.
const WIDEST = 3
for (const table of document.querySelectorAll('.office-scroll > table.office-table:not(.office-cards)')) {
  const words = [...table.querySelectorAll('thead th')].map((head) => head.textContent.trim())
  if (words.length <= WIDEST || table.tHead.rows.length !== 1) continue
  table.classList.add('office-cards')
  table.setAttribute('role', 'table')
  for (const group of [table.tHead, ...table.tBodies, table.tFoot].filter(Boolean)) group.setAttribute('role', 'rowgroup')
  for (const row of table.rows) {
    row.setAttribute('role', 'row')
    let column = 0
    for (const cell of row.cells) {
      const isHead = cell.tagName === 'TH'
      const isColumn = isHead && cell.scope === 'col'
      cell.setAttribute('role', isColumn ? 'columnheader' : isHead ? 'rowheader' : 'cell')
      if (!isHead && cell.colSpan === 1) cell.dataset.label = words[column]
      column += cell.colSpan
    }
  }
}

// What a form comes to while it is typed into: amounts in capitals, sums, days, and what would refuse it (live_check.py).
const reckoned = document.querySelector('form[data-reckoning]')
if (reckoned) {
  const unmet = reckoned.querySelector('#unmet')
  const find = (id) => {
    const field = document.getElementById(id)
    const around = field?.tagName === 'FIELDSET' ? field : field?.closest('.govuk-form-group')
    return around ? [...around.querySelectorAll('.office-spell')].at(-1) : undefined
  }
  let told = []
  let asked = 0
  let waiting
  const reckon = async () => {
    const number = ++asked
    const typed = new URLSearchParams()
    for (const [name, value] of new FormData(reckoned)) {
      if (typeof value === 'string' && !name.includes('.account.')) typed.append(name, value)
    }
    for (const input of reckoned.querySelectorAll('[data-tell]')) {
      if (input.value) typed.append('tell', `${input.dataset.tell}:${input.id}:${input.value}`)
    }
    try {
      const answer = await fetch(reckoned.dataset.reckoning, { method: 'POST', body: typed, redirect: 'error' })
      const reckoning = answer.ok ? await answer.json() : null
      if (reckoning === null || number !== asked) return
      for (const spot of told) spot.textContent = ''
      told = []
      for (const [id, note] of Object.entries(reckoning.notes)) {
        const spot = find(id)
        if (spot) told.push(Object.assign(spot, { textContent: note }))
      }
      unmet.querySelector('ul').replaceChildren(
        ...reckoning.unmet.map((text) => Object.assign(document.createElement('li'), { textContent: text })))
      unmet.hidden = reckoning.unmet.length === 0
    } catch { /* it is told when the form is checked */ }
  }
  reckoned.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(reckon, 400)
  })
  reckon()
}

// How far a document has come: a form with one is sent from here, and its answer shown as if it had been sent by itself.
for (const form of document.querySelectorAll('form[enctype="multipart/form-data"]')) {
  form.addEventListener('submit', (event) => {
    const files = [...form.querySelectorAll('input[type=file]')].flatMap((input) => [...input.files])
    if (!files.length || !event.submitter || event.defaultPrevented || 'plain' in form.dataset) return
    event.preventDefault()
    const bar = document.createElement('progress')
    bar.max = 1
    bar.value = 0
    bar.setAttribute('aria-label', files.map((file) => file.name).join(' '))
    event.submitter.after(bar)
    const request = new XMLHttpRequest()
    request.upload.addEventListener('progress', (sent) => { if (sent.lengthComputable) bar.value = sent.loaded / sent.total })
    request.addEventListener('load', () => {
      history.replaceState(null, '', request.responseURL)
      document.open()
      document.write(request.responseText)
      document.close()
    })
    request.addEventListener('error', () => {
      form.dataset.plain = ''
      form.requestSubmit(event.submitter)
    })
    request.open('POST', form.action)
    request.send(new FormData(form, event.submitter))
  })
}
