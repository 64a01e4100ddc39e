# /etc/profile gives login shells, which terminals are, a PATH and leaves the umask: both are to be the server's.
PATH="/opt/qhub/bin:$HOME/.local/bin:$PATH"
if [ -n "$NB_UMASK" ]; then
    umask "$NB_UMASK"
fi
