import '../look/look.css'

import { mount } from 'svelte'

import { theme } from '../look/theme.svelte'
import Page from './Page.svelte'

theme.begin('system')
mount(Page, { target: document.getElementById('page')! })
