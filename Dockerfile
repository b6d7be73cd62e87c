# One image for web, worker, console and the command line; web starts unless another command is given:
#   docker build -t app . && docker run --env-file .env -p 3000:3000 app
#   docker run --env-file .env app node apps/worker/dist/main.js
#   docker run --env-file .env app outgrow schema deploy
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npx -y pnpm@12.21.0 install --frozen-lockfile \
  && npx -y pnpm@12.21.0 run clients \
  && npx -y pnpm@12.21.0 run build

FROM node:24-bookworm-slim
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.mjs outgrow.config.ts ./
COPY apps ./apps
COPY packages ./packages
COPY prisma ./prisma
COPY scripts ./scripts
RUN npx -y pnpm@12.21.0 install --frozen-lockfile --prod --no-optional --filter . --filter-prod '{apps/*}...' --filter-prod '{scripts}...' \
  && rm -rf /root/.npm /root/.cache /root/.local/share/pnpm \
  && mkdir /data /backups && chown node /data /backups
COPY --from=build /app/packages/db/src/generated ./packages/db/src/generated
COPY --from=build /app/apps/web/dist ./apps/web/dist
COPY --from=build /app/apps/worker/dist ./apps/worker/dist
COPY --from=build /app/apps/console/dist ./apps/console/dist
ENV NODE_ENV=production HOST=0.0.0.0 SIGNS_DIR=/data PATH=/app/node_modules/.bin:$PATH
USER node
VOLUME /data /backups
EXPOSE 3000 3001 3002
CMD ["node", "apps/web/dist/main.js"]
