export { generatedPages } from './pages.ts';
