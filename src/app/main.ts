import { mount } from 'svelte';
import App from './App.svelte';
import { pwa } from './lib/pwa.svelte.ts';
import { session } from './lib/session.svelte.ts';
import './styles/tokens.css';
import './styles/base.css';

void session.open();
pwa.start();

export default mount(App, { target: document.getElementById('app')! });
