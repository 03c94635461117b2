// What the components do beyond HTML: focus on the error summary, no double submit, the sum of a sheet while it is
// filled in. Every page works without it.
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
