// What the components do beyond HTML: focus on the error summary, no double submit, the sum of a sheet while it is
// filled in, and tables that are read as cards on a telephone. Every page works without it.
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
