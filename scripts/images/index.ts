export { buildImages, IMAGE_NAMES, type ImageName } from './build-images.ts';
