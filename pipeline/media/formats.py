"""Which containers may be read: single files that carry video; nothing that opens further files.

Absent on purpose: playlists and manifests (dash, concat, imf, sdp; `pipeline.media.hls` reads hls),
numbered and single pictures (image2, *_pipe), devices, filters (lavfi), and containers with side
files (mlv, vobsub).
"""

from __future__ import annotations

GENERAL = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,flv,live_flv,kux,"
    "asf,asf_o,ogg,mxf,gxf,nut,nuv,rm,ivr,wtv,ty,dv,lxf,nsv,swf,gif,apng,ivf,yuv4mpegpipe,r3d,cine"
)
RAW = (
    "h261,h263,h264,hevc,vvc,evc,av1,obu,m4v,mjpeg,mjpeg_2000,mpjpeg,smjpeg,vc1,vc1test,dirac,"
    "dnxhd,cavsvideo,avs2,avs3,ipu,apv"
)
CAMERAS = "dhav,nc,lvf,frm,iv8,ifv,lmlm4,ser,xmv,pva,pmp,mtv,vivo,vividas,moflex"
GAMES = (
    "4xm,anm,bethsoftvid,bfi,bink,bmv,c93,cdxl,dfa,dsicin,dxa,ea,film_cpk,filmstrip,flic,gdv,hnm,"
    "idcin,ipmovie,jv,luodat,mgsts,mm,mv,mvi,paf,psxstr,rl2,roq,rpl,sga,smk,smush,thp,tiertexseq,"
    "tmv,txd,usm,vmd,wc3movie,yop"
)

FILE_FORMATS = ",".join((GENERAL, RAW, CAMERAS, GAMES))
RTSP_FORMATS = "rtsp"
DEVICE_FORMATS = "video4linux2,v4l2"
DEVICE = "v4l2:"  # and the path of one of this machine: a source, by request alone
