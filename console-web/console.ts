import './look/look.css'

import { mount } from 'svelte'

import ConsolePage from './alerts/ConsolePage.svelte'
import { theme } from './look/theme.svelte'

theme.begin('dark')
mount(ConsolePage, { target: document.getElementById('page')! })
