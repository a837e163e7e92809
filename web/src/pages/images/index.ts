export { ImagesPage } from "./images-page.tsx";
