// What the components do beyond HTML: focus on the error summary, no double submit. Every page works without it.
import { initAll } from './govuk-frontend-6.3.0.min.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()
