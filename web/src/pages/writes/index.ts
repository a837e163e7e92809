export { WritesPage } from "./writes-page.tsx";
