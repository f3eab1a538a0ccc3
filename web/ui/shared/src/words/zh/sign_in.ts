/** Words of the sign-in page. */
export const signIn = {
  title: "登录",
  username: "用户名",
  password: "密码",
  submit: "登录",
  working: "正在登录",
  withLink: "正在用一次性链接登录",
  linkUsed: "链接已用过或已过期，请用密码登录或索取新链接",
  wrong: "用户名或密码不对",
  signedInAs: (name: string) => `已登录：${name}`,
  whereTo: "前往",
  console: "指挥台",
  go: "响应端",
  planner: "AED 规划",
  publicMap: "附近的 AED，无需登录",
  other: "换人登录",
  noPage: "此账号没有可用页面",
};
